/** The page of the inspector: what a program has open, and what it waits for. */

import "../shell/shell.css";
import "./inspect.css";
import { show } from "../shell/shell.ts";
import { InspectPage } from "./inspect-page.ts";

show(InspectPage);
