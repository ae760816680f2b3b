// Puts the value beside a button into the clipboard. Without this script the buttons stay hidden, and a click on a value
// selects it as a whole.
'use strict';

const said = document.getElementById('copied');

for (const button of document.querySelectorAll('button[data-copy]')) {
  const value = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener('click', async () => {
    if (!(await copy(value))) return;
    said.textContent = '';
    const label = button.firstElementChild;
    const before = label.textContent;
    label.textContent = said.dataset.word;
    said.textContent = said.dataset.word;
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
