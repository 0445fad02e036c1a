// The peer: Socket.IO with its Redis adapter; what one socket says, all of the room get.
const http = require("http");
const { Server } = require("socket.io");
const { createAdapter } = require("@socket.io/redis-adapter");
const { createClient } = require("redis");

async function main(port, url) {
  const publisher = createClient({ url });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  const server = http.createServer((_, answer) => answer.end());
  const io = new Server(server, { transports: ["websocket"], perMessageDeflate: false });
  io.adapter(createAdapter(publisher, subscriber));
  io.on("connection", (socket) => {
    socket.join("chat");
    socket.on("say", (content) => io.to("chat").emit("said", content));
  });
  server.listen(port, "127.0.0.1");
}

main(Number(process.argv[2]), process.argv[3]);
