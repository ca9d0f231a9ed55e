// What the parts of the frame share: the words of the page, and where the site stands.
globalThis.kinomill = {
  base: document.documentElement.dataset.base ?? "/",
  words: JSON.parse(document.querySelector('meta[name="kinomill-words"]').content),
};
