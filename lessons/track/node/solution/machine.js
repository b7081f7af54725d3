// Whether a request comes from this machine: what the merchant alone may do is done from here.

export function isThis(request) {
  // Anybody's page can let a name of its own point here (DNS rebinding); the Host then is that name.
  const local = /^(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?$/i.test(request.get("host") ?? "");
  // A form on anybody's page can be sent here too; browsers say so.
  const own = ["none", "same-origin"].includes(request.get("sec-fetch-site") ?? "none");
  const peers = ["127.0.0.1", "::1", "::ffff:127.0.0.1"];
  return local && own && peers.includes(request.socket.remoteAddress);
}
