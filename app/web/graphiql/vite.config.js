// The page is served at /graphiql and all that it needs under /graphiql/assets, from Homeroom's own origin.
export default {
  base: "/graphiql/",
  build: {
    target: "es2023",
    assetsInlineLimit: 0, // files, never data: addresses, so that the page's policy need not allow them for fonts
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 4096, // the editor is large, and the way from this machine to itself is short
  },
  worker: { format: "es" },
};
