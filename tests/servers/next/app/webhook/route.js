import { genuine } from "../../by_sdk.mjs";
import { receive } from "../../shop.mjs";

export async function POST(request) {
  const body = await request.text();
  return new Response(null, { status: receive(genuine, request.headers.get("stripe-signature"), body) });
}
