import { randomUUID } from "node:crypto";

export const dynamic = "force-dynamic";

export default function Page() {
  return (
    <form method="post" action="/checkout">
      <h1>Hello, tea</h1>
      <input type="hidden" name="order" value={randomUUID()} readOnly />
      <button>Buy</button>
    </form>
  );
}
