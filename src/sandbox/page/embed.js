// The inside of an embedded Checkout: tells the page around it how high it is, and when the session is complete.
(() => {
  "use strict";
  // As high as what it shows, and no higher than that: the frame follows.
  document.documentElement.classList.add("framed");
  const tell = (/** @type {Record<string, any>} */ what) => window.parent.postMessage({ stripegym: "checkout", ...what }, "*");
  const height = () => tell({ height: Math.ceil(document.body.getBoundingClientRect().height) });
  new ResizeObserver(height).observe(document.body);
  const notice = document.querySelector("[data-complete]");
  if (notice instanceof HTMLElement) tell({ complete: true, leave: notice.dataset.leave });
})();
