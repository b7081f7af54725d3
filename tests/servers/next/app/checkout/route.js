import { buy } from "../../shop.mjs";

export async function POST(request) {
  const form = Object.fromEntries(await request.formData().catch(() => []));
  return Response.redirect(await buy(form), 303);
}
