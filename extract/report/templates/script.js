"use strict";
(() => {
  const body = document.body, page = Number(body.dataset.page), facets = JSON.parse(body.dataset.facets);
  const cards = [...document.querySelectorAll("article")], count = document.getElementById("count");
  const buttons = [...document.querySelectorAll("[data-facet]")], all = count.textContent;
  const name = (number) => (number === 1 ? `${body.dataset.first}.html` : `${body.dataset.stem}-${number}.html`);

  // The filter lives in the address, so that it stays when the page is turned.
  const filter = () => {
    const wanted = decodeURIComponent(location.hash.slice(1));
    let shown = 0;
    for (const card of cards) {
      card.hidden = wanted !== "" && !card.dataset.facets.split(" ").includes(wanted);
      shown += !card.hidden;
    }
    for (const button of buttons) button.classList.toggle("on", button.dataset.facet === wanted);
    for (const link of document.querySelectorAll(".pager a, .orders a")) link.hash = wanted;
    if (wanted === "" || !cards.length) return void (count.textContent = all);
    count.textContent = `${shown} of the ${cards.length} photos on this page. `;
    const pages = facets[wanted] || [], next = pages.find((n) => n > page) || pages.find((n) => n !== page);
    if (next) {
      const link = document.createElement("a");
      link.href = `${name(next)}#${wanted}`;
      link.textContent = `More on page ${next}`;
      count.append(link);
    }
  };
  for (const button of buttons) button.onclick = () => {
    location.hash = button.classList.contains("on") ? "" : button.dataset.facet;
  };
  addEventListener("hashchange", filter);
  if (cards.length) filter();

  for (const box of document.querySelectorAll("[data-show]")) {
    const set = () => body.classList.toggle(`show-${box.dataset.show}`, box.checked);
    box.onchange = set;
    set();
  }

  const dialog = document.getElementById("large"), stage = dialog.lastElementChild;
  const enlarge = (frame) => {
    const copy = frame.cloneNode(true), image = copy.querySelector("img");
    image.src = image.dataset.large;
    stage.replaceChildren(copy);
    dialog.showModal();
  };
  for (const frame of document.querySelectorAll("article .frame")) {
    frame.onclick = () => enlarge(frame);
    frame.onkeydown = (event) => (event.key === "Enter" || event.key === " ") && (event.preventDefault(), enlarge(frame));
  }
  dialog.onclick = () => dialog.close();
})();
