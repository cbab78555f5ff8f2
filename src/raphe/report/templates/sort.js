document.querySelectorAll("th[data-sort]").forEach(function (head) {
  head.tabIndex = 0;
  function sort() {
    var row = head.parentNode, body = head.closest("table").tBodies[0], up = head.getAttribute("aria-sort") !== "ascending";
    var column = 0, before = head;
    while ((before = before.previousElementSibling)) column += before.colSpan;
    var key = function (tr) { var at = 0, cell = tr.cells[0]; while (at + cell.colSpan <= column) { at += cell.colSpan; cell = cell.nextElementSibling; } return cell.dataset.value !== undefined ? parseFloat(cell.dataset.value) : cell.textContent.trim(); };
    Array.from(body.rows).map(function (tr) { return [key(tr), tr]; }).sort(function (a, b) {
      var x = a[0], y = b[0];
      if (typeof x === "number" && typeof y === "number") { if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y); return up ? x - y : y - x; }
      return up ? String(x).localeCompare(String(y)) : String(y).localeCompare(String(x));
    }).forEach(function (pair) { body.appendChild(pair[1]); });
    Array.from(row.children).forEach(function (th) { th.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
  }
  head.addEventListener("click", sort);
  head.addEventListener("keydown", function (event) { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); sort(); } });
});
