// The login without leaving the page; other tabs of this browser hear of it.
const { base, words, life } = globalThis.kinomill;
const channel = new BroadcastChannel("kinomill-session");

// The session of all tabs is the same one. A page before the login comes after a logout; any other is proof of a login.
const inside = document.documentElement.dataset.viewer !== undefined;
channel.addEventListener("message", ({ data }) => {
  if (data === "outside" || !life.isHere()) life.check();
});
channel.postMessage(inside ? "inside" : "outside");

async function logIn(form) {
  const answer = await fetch(`${base}login`, {
    method: "POST",
    headers: { accept: "application/json" },
    body: new URLSearchParams(new FormData(form)),
  });
  if (!answer.ok) return (await answer.json()).detail ?? words.notSent;
  form.querySelector("[type=password]").value = "";
  channel.postMessage("inside");
  await life.check();
  return null;
}

document.addEventListener("submit", async (event) => {
  if (!event.target.matches("#session form")) return;
  event.preventDefault();
  const button = event.target.querySelector("[type=submit]");
  const fault = event.target.querySelector("[data-login-fault]");
  if (button.disabled) return;
  button.disabled = true;
  fault.hidden = true;
  const refused = await logIn(event.target).catch(() => words.notSent);
  button.disabled = false;
  if (refused === null) return;
  fault.querySelector("p").textContent = refused;
  fault.hidden = false;
});
