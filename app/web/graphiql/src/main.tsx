/** GraphiQL as Homeroom serves it. */
import "@graphiql/plugin-doc-explorer/style.css";
import "@graphiql/plugin-history/style.css";
import "@graphiql/react/style.css";
import "graphiql/graphiql.css";
import "graphiql/setup-workers/vite";
import "./fonts.css";
import "./style.css";

import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { GraphiQL } from "graphiql";
import { createRoot } from "react-dom/client";

import { Editors } from "./editors";
import { fetcher } from "./graph";
import { READY } from "./ready";
import { RUN_AS } from "./run-as";
import { isSandbox } from "./sandbox";
import { Withheld } from "./withheld";

const page = document.getElementById("page");
if (page) {
  createRoot(page).render(
    <GraphiQL
      fetcher={fetcher}
      plugins={[RUN_AS, HISTORY_PLUGIN]}
      visiblePlugin={RUN_AS}
      defaultTabs={READY.map(({ query }) => ({ query }))}
      defaultQuery=""
      // Queries outlast the page in a sandbox; of real data not even those do.
      storage={isSandbox ? undefined : sessionStorage}
      shouldPersistHeaders={false}
      isHeadersEditorEnabled={false}
    >
      <GraphiQL.Logo>
        <a href="/" className="homeroom-logo">
          Homeroom {isSandbox ? "sandbox" : ""}
        </a>
      </GraphiQL.Logo>
      <GraphiQL.Footer>
        <Withheld />
      </GraphiQL.Footer>
      <Editors />
    </GraphiQL>,
  );
}
