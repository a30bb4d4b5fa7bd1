"use strict";

renderResult(
  document.getElementById("result"),
  JSON.parse(document.getElementById("data").textContent),
);
