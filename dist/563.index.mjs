export const id = 563;
export const ids = [563];
export const modules = {

/***/ 563:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   run: () => (/* binding */ p)
/* harmony export */ });
/* harmony import */ var node_module__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(995);
/* harmony import */ var _chunk_PB6M5IGR_mjs__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(677);
/* harmony import */ var _chunk_AF6INYBJ_mjs__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(852);
/* harmony import */ var _chunk_P2M4ZMML_mjs__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(336);
/* harmony import */ var _chunk_2TY44LZ6_mjs__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(228);
/* harmony import */ var _chunk_73A4UYHJ_mjs__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(728);
/* harmony import */ var _chunk_ZR4G6GZX_mjs__WEBPACK_IMPORTED_MODULE_6__ = __webpack_require__(109);
/* harmony import */ var _chunk_YGGRLDH6_mjs__WEBPACK_IMPORTED_MODULE_7__ = __webpack_require__(528);
/* harmony import */ var _chunk_X64BVOM5_mjs__WEBPACK_IMPORTED_MODULE_8__ = __webpack_require__(542);
/* harmony import */ var _chunk_DDQNZ3M3_mjs__WEBPACK_IMPORTED_MODULE_9__ = __webpack_require__(877);
/* harmony import */ var _chunk_6PWCLDCG_mjs__WEBPACK_IMPORTED_MODULE_10__ = __webpack_require__(923);
/* harmony import */ var _chunk_TSHUUVCP_mjs__WEBPACK_IMPORTED_MODULE_11__ = __webpack_require__(775);
const require=(0,node_module__WEBPACK_IMPORTED_MODULE_0__.createRequire)(import.meta.url);
async function p(r,s){return await (0,_chunk_PB6M5IGR_mjs__WEBPACK_IMPORTED_MODULE_1__.g)("x",r,s).identity(),""}


/***/ })

};
