// The end of connecting in a popup: the page that opened it waits in window.oauthCallback.
const waiting = window.opener && !window.opener.closed && window.opener.oauthCallback;
if (waiting) {
  if (document.body.dataset.outcome === "success") {
    waiting.success();
    window.close();
  } else {
    waiting.failure(); // the window stays: it shows the reason
  }
}
