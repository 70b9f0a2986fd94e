export const id = 84;
export const ids = [84];
export const modules = {

/***/ 7084:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   fromEnv: () => (/* reexport safe */ _chunk_UHDII3PW_mjs__WEBPACK_IMPORTED_MODULE_1__.g)
/* harmony export */ });
/* harmony import */ var node_module__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(8995);
/* harmony import */ var _chunk_UHDII3PW_mjs__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(8688);
/* harmony import */ var _chunk_OVG45GFN_mjs__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(4803);
/* harmony import */ var _chunk_ZVROI37F_mjs__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(2059);
/* harmony import */ var _chunk_6PWCLDCG_mjs__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(5923);
/* harmony import */ var _chunk_TG76KETQ_mjs__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(9988);
const require=(0,node_module__WEBPACK_IMPORTED_MODULE_0__.createRequire)(import.meta.url);



/***/ })

};
