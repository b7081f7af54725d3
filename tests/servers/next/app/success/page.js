export default function Page() {
  return (
    <main>
      <h1>Thank you</h1>
      <a href="/">Back</a>
    </main>
  );
}
