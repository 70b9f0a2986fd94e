export const id = 4;
export const ids = [4];
export const modules = {

/***/ 4:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   run: () => (/* binding */ p)
/* harmony export */ });
/* harmony import */ var node_module__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(995);
/* harmony import */ var _chunk_F4DYV54Q_mjs__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(325);
/* harmony import */ var _chunk_GOYYGBAR_mjs__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(66);
/* harmony import */ var _chunk_P2M4ZMML_mjs__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(381);
/* harmony import */ var _chunk_KFMD6GSO_mjs__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(251);
/* harmony import */ var _chunk_L3PD4FQP_mjs__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(586);
/* harmony import */ var _chunk_SIKZI4J4_mjs__WEBPACK_IMPORTED_MODULE_6__ = __webpack_require__(674);
/* harmony import */ var _chunk_OBQSV4MK_mjs__WEBPACK_IMPORTED_MODULE_7__ = __webpack_require__(529);
/* harmony import */ var _chunk_EOBKWRDV_mjs__WEBPACK_IMPORTED_MODULE_8__ = __webpack_require__(240);
/* harmony import */ var _chunk_25TPJ2ES_mjs__WEBPACK_IMPORTED_MODULE_9__ = __webpack_require__(255);
/* harmony import */ var _chunk_BS4LVKSY_mjs__WEBPACK_IMPORTED_MODULE_10__ = __webpack_require__(84);
/* harmony import */ var _chunk_TSHUUVCP_mjs__WEBPACK_IMPORTED_MODULE_11__ = __webpack_require__(186);
const require=(0,node_module__WEBPACK_IMPORTED_MODULE_0__.createRequire)(import.meta.url);
async function p(r,s){return await (0,_chunk_F4DYV54Q_mjs__WEBPACK_IMPORTED_MODULE_1__.a)("x",r,s).identity(),""}


/***/ })

};
