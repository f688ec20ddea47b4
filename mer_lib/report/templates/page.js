const config = {displaylogo: false, responsive: true, modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]]};
const look = JSON.parse(document.getElementById("look").textContent);

// A figure is drawn when it comes near the window: until then, in print and without scripts, its picture stands there.
function draw(box) {
  const live = box.querySelector(".live");
  const figure = JSON.parse(live.querySelector("script").textContent);
  box.classList.add("drawn");
  Plotly.newPlot(live, figure.data, {...figure.layout, template: look}, config);
}
const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (entry.isIntersecting) { watcher.unobserve(entry.target); draw(entry.target); }
  }
}, {rootMargin: "600px"});
document.querySelectorAll("figure.plot").forEach((box) => watcher.observe(box));

const parts = () => [...document.querySelectorAll("main details")];
document.getElementById("unfold").addEventListener("click", () => parts().forEach((part) => { part.open = true; }));

let folded = [];
window.addEventListener("beforeprint", () => {
  folded = parts().filter((part) => !part.open);
  folded.forEach((part) => { part.open = true; });
});
window.addEventListener("afterprint", () => folded.forEach((part) => { part.open = false; }));

// A link into a folded part opens it.
window.addEventListener("hashchange", () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const part = target && target.closest("details:not([open])");
  if (part) { part.open = true; target.scrollIntoView(); }
});
if (window.matchMedia("(max-width: 62rem)").matches) document.querySelector("nav details").open = false;
