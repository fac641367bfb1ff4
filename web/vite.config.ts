import { defineConfig } from "vite";
import { fakeServer } from "./dev/fake.ts";
import { recordInputs } from "./inputs.ts";

/** Where a running `source-declarative-manifest builder` is; without it, a stand-in answers. */
const server = process.env.BUILDER;

export default defineConfig({
  plugins: [recordInputs(), ...(server ? [] : [fakeServer()])],
  build: {
    target: "es2023",
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: true,
  },
  server: server ? { proxy: { "/api": server } } : {},
});
