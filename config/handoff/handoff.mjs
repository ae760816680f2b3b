// The application's side of linkgate's signed hand-off. Node 16 or newer, nothing else.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { pathToFileURL } from 'node:url';

// For a user who entered the password at authTime: the URL to redirect the browser to. Throws when it is not a request of
// linkgate's, or when the user must sign in again.
export function wayBack(secret, query, sub, name, authTime, now = Math.floor(Date.now() / 1000)) {
  const sign = (what, text) => createHmac('sha256', secret).update(`${what}.${text}`).digest('hex');
  const given = new URLSearchParams(query);
  const request = given.get('lg_request') ?? '';
  const [ours, theirs] = [Buffer.from(sign('lg_request', request)), Buffer.from(given.get('lg_sig') ?? '')];
  if (ours.length !== theirs.length || !timingSafeEqual(ours, theirs)) throw new Error('not signed by linkgate');
  const asked = JSON.parse(Buffer.from(request, 'base64url'));
  if (asked.exp <= now) throw new Error('too late');
  if (asked.fresh && authTime < asked.iat) throw new Error('sign in again');
  const answer = { jti: asked.jti, sub, name, iat: now, exp: now + 60, auth_time: authTime };
  const text = Buffer.from(JSON.stringify(answer)).toString('base64url');
  return `${asked.return_to}?lg_answer=${text}&lg_sig=${sign('lg_answer', text)}`;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [secret, now, query, sub, name, authTime] = process.argv.slice(2);
  try {
    console.log(wayBack(secret, query, sub, name, Number(authTime), Number(now)));
  } catch (why) {
    console.error(why.message);
    process.exit(1);
  }
}
