export default function Page() {
  return (
    <main>
      <h1>Nothing was charged</h1>
      <a href="/">Back</a>
    </main>
  );
}
