/* A frame to sign in, with a finger or a mouse. Without this file the paper is scanned instead. */
(() => {
  "use strict";

  const frame = (field) => {
    const box = document.createElement("div");
    box.className = "field";
    const label = document.createElement("p");
    label.id = `${field.id}-label`;
    label.textContent = field.dataset.signature;
    const canvas = document.createElement("canvas");
    canvas.width = 640;
    canvas.height = 240;
    canvas.className = "signature-pad";
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-labelledby", label.id);
    const clear = document.createElement("button");
    clear.type = "button";
    clear.className = "button button-quiet button-small";
    clear.textContent = "Effacer cette signature";
    box.append(label, canvas, clear);
    field.before(box);

    const pen = canvas.getContext("2d");
    pen.lineWidth = 3;
    pen.lineCap = "round";
    pen.strokeStyle = "#000";
    const place = (event) => {
      const shown = canvas.getBoundingClientRect();
      return [
        ((event.clientX - shown.left) * canvas.width) / shown.width,
        ((event.clientY - shown.top) * canvas.height) / shown.height,
      ];
    };
    canvas.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
      pen.beginPath();
      pen.moveTo(...place(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!canvas.hasPointerCapture(event.pointerId)) return;
      pen.lineTo(...place(event));
      pen.stroke();
      field.value = canvas.toDataURL("image/png");
    });
    clear.addEventListener("click", () => {
      pen.clearRect(0, 0, canvas.width, canvas.height);
      field.value = "";
    });
  };

  for (const field of document.querySelectorAll("input[data-signature]")) frame(field);
})();
