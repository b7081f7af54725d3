import { ledger, local } from "../../shop.mjs";

export const dynamic = "force-dynamic";

export function GET(request) {
  if (!local(request.headers.get("host"))) return new Response(null, { status: 403 });
  return new Response(ledger(), { headers: { "Content-Type": "application/json" } });
}
