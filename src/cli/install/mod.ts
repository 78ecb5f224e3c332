/** What is loaded only when the program is asked to change a client's configuration. */
export { clientNames } from "./clients.ts";
export { runInstall } from "./install.ts";
export { runUninstall } from "./uninstall.ts";
