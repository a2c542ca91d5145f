// The subject's page: once the wallet has signed again, what was wanted goes on by itself.
document.addEventListener("htmx:afterSettle", () => {
  const wanted = document.getElementById("wanted");
  if (wanted && document.querySelector("[data-signed]")) {
    wanted.requestSubmit();
  }
});
