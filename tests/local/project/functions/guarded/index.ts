export default { fetch: () => new Response("let in") };
