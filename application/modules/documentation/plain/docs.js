// Start Swagger UI. A file of its own, because the content security policy allows no inline script.
(function () {
  var root = document.documentElement;
  var system = matchMedia("(prefers-color-scheme: dark)");
  function paint() {
    var theme = root.dataset.theme || (system.matches ? "dark" : "light");
    root.classList.toggle("dark-mode", theme === "dark");
  }
  paint();
  system.addEventListener("change", paint);

  // In a list Swagger UI looks for a field of its own for ids, and complains that it has none.
  function plainIds(system) {
    function Field(props) {
      return system.React.createElement(props.getComponent("JsonSchema_string"), props);
    }
    return { components: { JsonSchema_string_uuid: Field } };
  }

  SwaggerUIBundle({
    plugins: [plainIds],
    url: document.getElementById("swagger-ui").dataset.document,
    dom_id: "#swagger-ui",
    deepLinking: true,
    validatorUrl: null, // else the document is shown to a server elsewhere
    persistAuthorization: false, // a token kept in the browser's storage is there for every script
    tryItOutEnabled: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
  });
})();
