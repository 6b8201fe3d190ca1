// Runs before the program is there: a chosen theme never flashes the other one, and what the first
// screen shows is asked for while the program still comes.
(() => {
  try {
    const saved = JSON.parse(localStorage.getItem('parlor.look') || '{}');
    if (saved.theme && saved.theme !== 'system') document.documentElement.dataset.theme = saved.theme;
    if (saved.density === 'compact') document.documentElement.dataset.density = 'compact';
  } catch {
    // Storage is closed to us: the system's theme it is.
  }
  window.parlorInit = fetch('/api/v1/me/init', { credentials: 'same-origin', cache: 'no-store' }).catch(() => null);
})();
