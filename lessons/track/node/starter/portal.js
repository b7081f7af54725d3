// Leads buyers to the page on which they see to their subscription themselves: card, invoices, the end of it.

export async function enter(_request, answer) {
  // Lesson customer-portal: make a billing portal session for the customer of the form's `email` (buyer.customer) with
  // a return_url, and lead the browser to its url with 303. 404 where there is no such customer. Whose portal it is
  // follows from nothing else that the request says.
  answer.status(501).send("customer-portal");
}
