// Runs before the first paint, so that a chosen theme never flashes the other one.
(() => {
  try {
    const saved = JSON.parse(localStorage.getItem('parlor.look') || '{}');
    if (saved.theme && saved.theme !== 'system') document.documentElement.dataset.theme = saved.theme;
    if (saved.density === 'compact') document.documentElement.dataset.density = 'compact';
  } catch {
    // Storage is closed to us: the system's theme it is.
  }
})();
