// SPDX-License-Identifier: AGPL-3.0-or-later
// npm start [-- FLAGS]: installs and builds what is missing, then runs `nam run FLAGS`.
import { launch } from "./launch.mjs";
import { checkNode, ensureBuild, ensureNpmPackages } from "./prepare.mjs";

checkNode();
ensureNpmPackages();
ensureBuild();
launch(["run", ...process.argv.slice(2)]);
