import { render } from "preact";
import { App } from "./pages/App";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/pages.css";
import "./styles/form.css";
import "./styles/test.css";

const root = document.getElementById("app");
if (root) render(<App />, root);
