// Shows the document that the page names. A token that somebody fills in stays on the page; nothing asks elsewhere.
window.addEventListener("load", () => {
  const place = document.getElementById("viewer");
  window.SwaggerUIBundle({
    domNode: place,
    url: place.dataset.document,
    validatorUrl: null,
    queryConfigEnabled: false,
    persistAuthorization: false,
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    defaultModelRendering: "model",
    displayRequestDuration: true,
    filter: true,
  });
});
