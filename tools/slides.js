renderMathInElement(document.body, {
  delimiters: [{ left: "$$", right: "$$", display: true }, { left: "$", right: "$", display: false }],
  throwOnError: false,
});
Reveal.initialize({ width: 1280, height: 720, margin: 0.03, center: false, hash: true, slideNumber: "h.v", transition: "none" });
