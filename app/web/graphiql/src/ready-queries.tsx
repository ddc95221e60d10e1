/** The ready queries as a list, for whoever closed their tabs. */
import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { useState } from "react";

import { useAccess } from "./access";
import { ask } from "./graph";
import { ANY_ID, READY, withId, type Ready } from "./ready";

export function ReadyQueries() {
  const access = useAccess();
  const { addTab, changeTab } = useGraphiQLActions();
  const tabs = useGraphiQL((state) => state.tabs);
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const [problem, setProblem] = useState("");

  const open = async (ready: Ready) => {
    setProblem("");
    const at = tabs.findIndex((tab) => tab.operationName === ready.name);
    if (at >= 0) {
      changeTab(at);
    } else {
      addTab();
      queryEditor?.setValue(ready.query);
    }
    if (ready.wantsId && access.state === "held") {
      const id = await anyId();
      if (id) queryEditor?.setValue(withId(ready, id));
      else setProblem("This vendor may see no student here, so there is no id to ask for.");
    }
  };

  return (
    <section>
      <h2>Ready queries</h2>
      <ul className="homeroom-ready">
        {READY.map((ready) => (
          <li key={ready.title}>
            <button onClick={() => void open(ready)}>{ready.title}</button>
          </li>
        ))}
      </ul>
      <p aria-live="polite">{problem}</p>
    </section>
  );
}

async function anyId(): Promise<string | undefined> {
  try {
    const answer = (await ask({ query: ANY_ID })) as { data?: { students?: { nodes: { id: string }[] } | null } | null };
    return answer.data?.students?.nodes[0]?.id;
  } catch {
    return undefined;
  }
}
