/** The version of this package, for traces and reports. The same as in package.json; a test compares them. */
export const PACKAGE_VERSION = "0.1.0";
