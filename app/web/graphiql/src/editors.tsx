/** What the editors lack: lines that wrap, and colours that can be read in the dark. */
import { useGraphiQL, useMonaco } from "@graphiql/react";
import { useEffect } from "react";

const GROUND = "#212a3b"; // GraphiQL's own, in the dark
const MARKED = "#2a6ca833";

export function Editors() {
  const editor = useGraphiQL((state) => state.queryEditor);
  const monaco = useMonaco((state) => state.monaco);
  useEffect(() => editor?.updateOptions({ wordWrap: "on" }), [editor]);
  useEffect(() => {
    // The name is GraphiQL's, so that its switch between light and dark goes on to work. WCAG 2.2, 1.4.3: 4.5 to 1.
    monaco?.editor.defineTheme("graphiql-DARK", {
      base: "vs-dark",
      inherit: true,
      colors: {
        "editor.background": "#ffffff00",
        "editorHoverWidget.background": GROUND,
        "editorLineNumber.foreground": "#9aa7bd",
        "editorSuggestWidget.background": GROUND,
        "editorSuggestWidget.selectedBackground": MARKED,
        "editorWidget.background": GROUND,
        "list.hoverBackground": MARKED,
        "menu.background": GROUND,
        "quickInput.background": GROUND,
        "scrollbar.shadow": "#ffffff00",
      },
      rules: [
        { token: "argument.identifier.gql", foreground: "908aff" },
        { token: "comment", foreground: "8fbf7a" },
      ],
    });
  }, [monaco]);
  return null;
}
