export const id = 494;
export const ids = [494];
export const modules = {

/***/ 8494:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   EventStreamSerde: () => (/* reexport safe */ _chunk_GM7YGHNE_mjs__WEBPACK_IMPORTED_MODULE_1__.r),
/* harmony export */   eventStreamSerdeProvider: () => (/* reexport safe */ _chunk_GM7YGHNE_mjs__WEBPACK_IMPORTED_MODULE_1__.n)
/* harmony export */ });
/* harmony import */ var node_module__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(8995);
/* harmony import */ var _chunk_GM7YGHNE_mjs__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(3691);
/* harmony import */ var _chunk_ZR4G6GZX_mjs__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(6109);
/* harmony import */ var _chunk_6PWCLDCG_mjs__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(5923);
/* harmony import */ var _chunk_TG76KETQ_mjs__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(9988);
const require=(0,node_module__WEBPACK_IMPORTED_MODULE_0__.createRequire)(import.meta.url);



/***/ })

};
