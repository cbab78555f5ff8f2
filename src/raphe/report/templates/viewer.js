(function () {
  "use strict";
  var library;

  function decoded(name) {
    var text = atob(document.getElementById(name).textContent), bytes = new Uint8Array(text.length);
    for (var i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  }

  function loaded() {
    library = library || decoded("viewer-library").then(function (buffer) {
      var script = document.createElement("script");
      script.textContent = new TextDecoder().decode(buffer);
      document.head.appendChild(script);
      return window.niivue;
    });
    return library;
  }

  function volume(buffer) {
    var head = new DataView(buffer), start = head.getFloat32(108, true);
    return {
      buffer: buffer,
      size: [42, 44, 46].map(function (at) { return head.getInt16(at, true); }),
      slope: head.getFloat32(112, true),
      values: head.getInt16(70, true) === 4 ? new Int16Array(buffer, start) : new Uint8Array(buffer, start)
    };
  }

  function shown(number, digits) { return number.toFixed(digits).replace(/^-(?=[0.]*$)/, "").replace("-", "\u2212"); }

  function probability(log) {
    var p = Math.pow(10, -log);
    return p < 0.001 ? "p < 0.001" : "p = " + p.toFixed(p < 0.1 ? 3 : 2);
  }

  async function open(root) {
    var settings = JSON.parse(root.querySelector("script").textContent), ways = settings.ways;
    var find = function (name) { return root.querySelector(name); };
    var choice = find(".choice"), threshold = find(".threshold"), told = root.querySelectorAll(".told");
    var niivue = await loaded(), held = {};
    for (var role in settings.volumes) held[role] = volume(await decoded(settings.volumes[role]));
    var statistic = held.statistic, flags = held.flags.values;

    var nv = new niivue.Niivue({
      backColor: [0, 0, 0, 1], crosshairColor: [0.55, 0.8, 0.55, 0.8], crosshairWidth: 0.6, crosshairWidthUnit: "percent",
      isNearestInterpolation: true, show3Dcrosshair: true, dragAndDropEnabled: false, dragMode: 0, scrollRequiresFocus: true,
      multiplanarShowRender: 1, multiplanarLayout: 2, loadingText: "", logLevel: "error"
    });
    find(".opened").hidden = false;
    await nv.attachToCanvas(find("canvas"));
    [["warm", settings.warm], ["cool", settings.cool]].forEach(function (pair) {
      var low = pair[1][0], high = pair[1][1], mixed = function (at) { return [low[at], low[at], high[at]]; };
      nv.addColormap("raphe-" + pair[0], { R: mixed(0), G: mixed(1), B: mixed(2), A: [0, 255, 255], I: [0, 1, 255] });
    });
    nv.addColormap("raphe-grey", { R: [0, 255], G: [0, 255], B: [0, 255], A: [0, 24], I: [0, 255] });
    nv.addVolume(await niivue.NVImage.new(held.background.buffer, "background.nii", "raphe-grey", 1, null, 0, 400));
    var over = await niivue.NVImage.new(
      statistic.buffer.slice(0), "statistic.nii", "raphe-warm", 1, null, statistic.slope / 2, settings.limit, true, 0, false, false, "raphe-cool"
    );
    nv.addVolume(over);

    function way() { return Number(choice.value) < ways.length ? Number(choice.value) : -1; }

    function draw() {
      var bit = way() < 0 ? 1 : 2 << way(), least = Number(threshold.value) / statistic.slope - 1e-6;
      for (var i = 0; i < flags.length; i++) {
        var value = statistic.values[i];
        over.img[i] = flags[i] & bit && Math.abs(value) >= least ? value : 0;
      }
      nv.updateGLVolume();
      find("output").textContent = shown(Number(threshold.value), settings.digits);
    }

    function choose() {
      threshold.value = way() < 0 ? settings.threshold : 0;
      told.forEach(function (text, at) { text.hidden = at !== Number(choice.value); });
      draw();
    }

    function read(mm) {
      var at = settings.inverse.map(function (row) { return Math.round(row[0] * mm[0] + row[1] * mm[1] + row[2] * mm[2] + row[3]); });
      var size = statistic.size, index = at[0] + size[0] * (at[1] + size[1] * at[2]);
      var inside = at.every(function (n, axis) { return n >= 0 && n < size[axis]; }) && flags[index] & 1;
      var parts = ["x = " + shown(mm[0], 0) + ", y = " + shown(mm[1], 0) + ", z = " + shown(mm[2], 0) + " mm (" + settings.space + ")"];
      if (!inside) parts.push(settings.nothing);
      else {
        parts.push(settings.statistic + " = " + shown(statistic.values[index] * statistic.slope, settings.digits));
        ways.forEach(function (name, way) {
          var log = held["logp" + way];
          parts.push(probability(log.values[index] * log.slope) + " corrected, " + name);
        });
      }
      find(".read").textContent = parts.join("; ");
    }

    function go(place) {
      nv.scene.crosshairPos = nv.mm2frac(place);
      nv.drawScene();
      read(place);
    }

    nv.onLocationChange = function (found) { read(found.mm); };
    choice.addEventListener("change", choose);
    threshold.addEventListener("input", draw);
    find(".layout").addEventListener("change", function (event) { nv.setSliceType(Number(event.target.value)); });
    if (find(".place")) find(".place").addEventListener("change", function (event) { go(settings.places[Number(event.target.value)]); });
    threshold.max = settings.limit;
    nv.setSliceType(Number(find(".layout").value));
    choose();
    go(settings.places[0]);
  }

  document.querySelectorAll("div.viewer").forEach(function (root) {
    var call = root.querySelector(".call");
    function begin() {
      if (root.dataset.state) return;
      root.dataset.state = "opening";
      call.textContent = "Opening \u2026";
      open(root).then(function () { call.hidden = true; root.dataset.state = "open"; }, function (error) {
        var failed = root.querySelector(".failed");
        call.hidden = true;
        root.querySelector(".opened").hidden = true;
        failed.hidden = false;
        failed.textContent = "The viewer could not be opened here (" + error.message + "). It needs WebGL2, as browsers since 2023 have it; the pictures of the report show the same map.";
        root.dataset.state = "failed";
      });
    }
    function look() { if (location.hash === "#" + root.id) begin(); }
    Array.from(call.children).forEach(function (part) { part.hidden = false; });
    call.querySelector("button").addEventListener("click", begin);
    window.addEventListener("hashchange", look);
    look();
  });
})();
