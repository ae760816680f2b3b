// A browser's part of the dance: whatever forms the pages hold are read from the pages.

const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#x27': "'", '#34': '"', '#38': '&', '#60': '<', '#62': '>' };
const unescape = (text) => text.replace(/&([a-z]+|#x?[0-9a-f]+);/gi, (whole, name) => ENTITIES[name.toLowerCase()] ?? whole);

function attributes(tag) {
  const found = {};
  for (const [, name, double, single, bare] of tag.matchAll(/([\w-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+)))?/g)) {
    found[name.toLowerCase()] = unescape(double ?? single ?? bare ?? '');
  }
  return found;
}

// Every form of a page: where it goes, its fields and its buttons.
function forms(page) {
  return [...page.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gis)].map(([, head, inside]) => ({
    ...attributes(head),
    fields: [...inside.matchAll(/<(input|button)\b([^>]*)>/gi)].map(([, tag, rest]) => {
      const { name, value, type } = attributes(rest);
      const kind = (type ?? (tag.toLowerCase() === 'input' ? 'text' : 'submit')).toLowerCase();
      return { kind, name, value: value ?? '' };
    }),
  }));
}

// Chooses the form that a person would, and fills it in.
function fill(page, user, password) {
  for (const form of forms(page)) {
    const named = form.fields.filter((field) => field.name);
    if (named.some((field) => field.kind === 'password')) {
      const said = { text: user, email: user, password };
      const pairs = named.filter((field) => field.kind !== 'submit').map((field) => [field.name, said[field.kind] ?? field.value]);
      return { form, pairs };
    }
    if (named.some((field) => field.name === 'approve')) {
      const pairs = named.filter((field) => field.kind !== 'submit' || field.name === 'approve').map((field) => [field.name, field.value]);
      return { form, pairs };
    }
  }
  throw new Error('no form on the page that asks for a password or an approval');
}

// Opens a page, signs in and approves; returns the URL at which the browser leaves for the consumer.
export async function approve(page, callback, user, password) {
  const jar = new Map();
  const visit = async (url, options = {}) => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, { redirect: 'manual', ...options, headers: cookie ? { cookie } : {} });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
      if (/max-age=0/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
    return answer;
  };
  let answer = await visit(page);
  for (let step = 0; step < 10; step += 1) {
    if (answer.status >= 300 && answer.status < 400) {
      page = new URL(answer.headers.get('location'), page).href;
      if (page.startsWith(callback)) return page;
      answer = await visit(page);
      continue;
    }
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`${page} answered ${answer.status}: ${text.slice(0, 500)}`);
    const { form, pairs } = fill(text, user, password);
    if (form.method?.toLowerCase() !== 'post') throw new Error('a form that changes something is sent by POST');
    page = new URL(form.action ?? '', page).href;
    answer = await visit(page, { method: 'POST', body: new URLSearchParams(pairs) });
  }
  throw new Error('ten pages and no end');
}
