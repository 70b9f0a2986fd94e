export const id = 265;
export const ids = [265];
export const modules = {

/***/ 8646:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   fromEnv: () => (/* reexport safe */ _chunk_2TY44LZ6_mjs__WEBPACK_IMPORTED_MODULE_1__.g)
/* harmony export */ });
/* harmony import */ var node_module__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(8995);
/* harmony import */ var _chunk_2TY44LZ6_mjs__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(9228);
/* harmony import */ var _chunk_X64BVOM5_mjs__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(7542);
/* harmony import */ var _chunk_DDQNZ3M3_mjs__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(7877);
/* harmony import */ var _chunk_6PWCLDCG_mjs__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(5923);
/* harmony import */ var _chunk_TSHUUVCP_mjs__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(7775);
const require=(0,node_module__WEBPACK_IMPORTED_MODULE_0__.createRequire)(import.meta.url);



/***/ })

};
