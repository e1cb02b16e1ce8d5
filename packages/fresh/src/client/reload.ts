// Development only: reloads the page when it finds a server that started after the page was loaded.
let startedAt: string | undefined;

function watch(): void {
  const socket = new WebSocket("/_fresh/alive");
  socket.onmessage = ({ data }) => {
    if (startedAt !== undefined && data !== startedAt) location.reload();
    startedAt = data;
  };
  socket.onclose = () => setTimeout(watch, 300);
}

watch();
