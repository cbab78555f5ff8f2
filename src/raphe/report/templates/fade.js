document.querySelectorAll("figure.fade").forEach(function (figure) {
  var slider = figure.querySelector("input[type=range]"), over = figure.querySelector(".over");
  slider.parentNode.hidden = false;
  slider.addEventListener("input", function () { over.style.opacity = slider.value / 100; });
});
