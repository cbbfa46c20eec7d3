// How the page is built, and where `npm run dev` finds a chat server.
import { defineConfig } from "vitest/config";

const backend = "http://127.0.0.1:5000";

export default defineConfig({
  build: {
    // The server sends a content security policy without inline scripts or foreign hosts:
    // every asset is a file of its own under /assets, its name a hash of its content.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
  },
  server: {
    proxy: {
      "/api": backend,
      "/socket.io": { target: backend, ws: true },
    },
  },
  test: { include: ["test/**/*.test.ts", "chat-client/test/**/*.test.ts"], env: { TZ: "UTC" } },
});
