// Shows the service's own document, and asks no other host for anything.
window.addEventListener('load', () => {
  window.ui = SwaggerUIBundle({
    dom_id: '#api',
    url: 'openapi.json',
    validatorUrl: null,
    deepLinking: true,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    persistAuthorization: false,
    defaultModelsExpandDepth: 0,
    docExpansion: 'list',
  });
});
