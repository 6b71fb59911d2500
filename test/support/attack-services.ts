// SPDX-License-Identifier: AGPL-3.0-or-later
// What the attacks need to meet: an FTP server that refuses every login, or a web server that takes every upload.
//   attack-services.ts ftp|upload ADDRESS PORT
import { createServer as createWebServer } from "node:http";
import { createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";

const [role, address = "127.0.0.1", port = "0"] = process.argv.slice(2);

const server =
  role === "ftp"
    ? createServer(refuse)
    : createWebServer((request, response) => request.resume().once("end", () => response.end()));
server.listen(Number(port), address);

/** RFC 959 §5.4: as much of the dialogue as a refusal takes. */
function refuse(socket: Socket): void {
  const answers: Readonly<Record<string, string>> = {
    USER: "331 password please",
    PASS: "530 login incorrect",
    QUIT: "221 bye",
  };
  socket.on("error", () => {});
  socket.write("220 ready\r\n");
  createInterface({ input: socket }).on("line", (line) => {
    const [command = ""] = line.split(" ");
    socket.write(`${answers[command.toUpperCase()] ?? "502 not here"}\r\n`);
    if (command.toUpperCase() === "QUIT") socket.end();
  });
}
