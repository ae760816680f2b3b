// "Connect" opens a popup, as Application Links do. Without this script, or without popups, it is a plain link.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-popup]");
  if (!link) return;
  const popup = window.open(link.href, "com_atlassian_applinks_authentication", "width=640,height=760,resizable,scrollbars");
  if (!popup) return;
  event.preventDefault();
  window.oauthCallback = {
    success: () => window.location.assign("/"),
    failure: () => window.location.assign("/"),
  };
});
