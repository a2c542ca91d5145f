// Passkeys: asks the server for a challenge, the browser for an assertion or a new key, and hands the
// answer back. A form names what is done:
//   <form data-passkey="get|create" data-begin="/…" data-finish="/…">
// Its fields go along when it begins. Afterwards the browser goes to the page that the answer names, or sends
// the form that data-then names.

const decode = (text) => {
  const padded = text.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(padded), (character) => character.charCodeAt(0));
};
const encode = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const post = async (path, body, csrf) => {
  const headers = { "content-type": "application/json" };
  if (csrf) headers["x-csrf-token"] = csrf;
  const response = await fetch(path, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
    credentials: "same-origin",
    redirect: "error",
  });
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
};

const create = async ({ publicKey }) => {
  const credential = await navigator.credentials.create({
    publicKey: {
      ...publicKey,
      challenge: decode(publicKey.challenge),
      user: { ...publicKey.user, id: decode(publicKey.user.id) },
      excludeCredentials: (publicKey.excludeCredentials ?? []).map((known) => ({ ...known, id: decode(known.id) })),
    },
  });
  const { response } = credential;
  return {
    id: credential.id,
    rawId: encode(credential.rawId),
    type: credential.type,
    extensions: {},
    response: {
      attestationObject: encode(response.attestationObject),
      clientDataJSON: encode(response.clientDataJSON),
      transports: response.getTransports?.() ?? [],
    },
  };
};

const get = async ({ publicKey }) => {
  const credential = await navigator.credentials.get({
    publicKey: {
      ...publicKey,
      challenge: decode(publicKey.challenge),
      allowCredentials: (publicKey.allowCredentials ?? []).map((known) => ({ ...known, id: decode(known.id) })),
    },
  });
  const { response } = credential;
  return {
    id: credential.id,
    rawId: encode(credential.rawId),
    type: credential.type,
    extensions: {},
    response: {
      authenticatorData: encode(response.authenticatorData),
      clientDataJSON: encode(response.clientDataJSON),
      signature: encode(response.signature),
      userHandle: response.userHandle ? encode(response.userHandle) : null,
    },
  };
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("button[type=submit]");
  const say = (name) => {
    for (const message of form.querySelectorAll("[data-message]")) {
      message.hidden = message.dataset.message !== name;
    }
  };
  if (!window.PublicKeyCredential) {
    say("unsupported");
    button.disabled = true;
    button.dataset.off = "";
    continue;
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    say("");
    button.disabled = true;
    const { csrf, ...fields } = Object.fromEntries(new FormData(form));
    try {
      const begun = await post(form.dataset.begin, fields, csrf);
      const answer = form.dataset.passkey === "create" ? await create(begun.options) : await get(begun.options);
      const done = await post(form.dataset.finish, { ceremony: begun.ceremony, answer }, csrf);
      const then = document.getElementById(form.dataset.then ?? "");
      if (then) {
        then.submit();
      } else {
        window.location.assign(form.dataset.next || done.next);
      }
    } catch (error) {
      const cancelled = error instanceof DOMException;
      say(cancelled ? "cancelled" : error.message === "429" ? "busy" : "refused");
      button.disabled = false;
    }
  });
}
