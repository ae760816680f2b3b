// Buttons that copy a value into the clipboard: without this script they stay hidden, and a click on a value selects it as a
// whole. Escape closes the question behind a button that revokes.
'use strict';

const copied = document.getElementById('copied');

for (const button of document.querySelectorAll('button[data-copy]')) {
  const value = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener('click', async () => {
    if (!(await copy(value))) return;
    copied.textContent = '';
    const label = button.firstElementChild;
    const before = label.textContent;
    label.textContent = copied.dataset.word;
    copied.textContent = copied.dataset.word;
    setTimeout(() => { label.textContent = before; }, 2000);
  });
}

// Browsers have a clipboard only on https and on localhost; elsewhere the old way must do.
async function copy(value) {
  try {
    await navigator.clipboard.writeText(value.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(value);
    return document.execCommand('copy');
  }
}

document.addEventListener('keydown', event => {
  const question = event.key === 'Escape' && event.target.closest('details.confirm[open]');
  if (!question) return;
  question.open = false;
  question.querySelector('summary').focus();
});
