/** The page of the fault proxy: what passes, what goes wrong, and a way to make it so. */

import "uplot/dist/uPlot.min.css";
import "../shell/shell.css";
import "./proxy.css";
import { show } from "../shell/shell.ts";
import { ProxyPage } from "./proxy-page.ts";

show(ProxyPage);
