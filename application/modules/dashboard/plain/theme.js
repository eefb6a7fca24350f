// Set the stored theme before the first paint. A file of its own, because the content security policy allows no inline script.
(function () {
  var theme = null;
  try {
    theme = localStorage.getItem("redprint.theme");
  } catch (refused) {
    // Storage is switched off: the system's theme is right.
  }
  if (theme === "light" || theme === "dark") {
    document.documentElement.dataset.theme = theme;
  }
})();
