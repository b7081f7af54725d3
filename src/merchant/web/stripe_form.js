// Confirms with Stripe.js what the page was made for: the card is typed into a frame of the provider's, and its number
// never reaches the shop.
"use strict";

const form = document.querySelector("form[data-secret]");
const said = document.querySelector("[role=alert]");
const button = form.querySelector("button");
const { key, secret, kind, back } = form.dataset;
const stripe = Stripe(key, { locale: document.documentElement.lang });
const elements = stripe.elements({ clientSecret: secret });
elements.create("payment").mount("#card");
// Without a script there is nothing to confirm, and no button.
button.hidden = false;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  said.textContent = "";
  const given = { elements, confirmParams: { return_url: back } };
  try {
    // Where it goes well, the browser has left this page.
    const { error } = kind === "setup" ? await stripe.confirmSetup(given) : await stripe.confirmPayment(given);
    said.textContent = error.message;
  } catch (error) {
    said.textContent = error.message;
  }
  button.disabled = false;
});
