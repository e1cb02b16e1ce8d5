/** The image's health check: exit code 0 when the server in this container is alive. */
const answer = await fetch(`http://127.0.0.1:${Deno.env.get("PORT") ?? 8000}/api/health`);
Deno.exit(answer.ok ? 0 : 1);
